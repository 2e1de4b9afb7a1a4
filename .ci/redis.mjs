// Prints where a redis-server is, as JSON {bin, libraryPath}: REDIS_SERVER_BIN, else the PATH, else Debian's or Ubuntu's
// packages unpacked into .cache/redis without root. On failure exits 1 and says what to install.
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = join(dirname(fileURLToPath(import.meta.url)), "..", ".cache", "redis");
const packages = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "liblua5.1-0", "lua-cjson", "lua-bitop"];

function executable(path) {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function unpacked(root) {
	const bin = join(root, "usr/bin/redis-check-rdb");
	if (!existsSync(bin)) return null;
	const lib = join(root, "usr/lib");
	const triplets = existsSync(lib) ? readdirSync(lib).filter((name) => name.includes("-linux-")) : [];
	// redis-server is a link to redis-check-rdb and looks at the name it was called by.
	return {
		bin: join(root, "usr/bin/redis-server"),
		libraryPath: triplets.map((name) => join(lib, name)).join(delimiter),
	};
}

function download(into, options) {
	execFileSync("apt-get", [...options, "download", ...packages], {
		cwd: into,
		stdio: ["ignore", "ignore", "pipe"],
	});
}

function fetchWithoutRoot() {
	const work = `${cache}.${process.pid}`;
	rmSync(work, { recursive: true, force: true });
	try {
		unpackInto(work, join(work, "root"));
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}

function unpackInto(work, root) {
	mkdirSync(root, { recursive: true });
	try {
		download(work, []);
	} catch {
		// A fresh container has no package lists; ours are private, so no root is needed.
		const lists = join(work, "lists");
		mkdirSync(join(lists, "partial"), { recursive: true });
		mkdirSync(join(work, "archives/partial"), { recursive: true });
		const own = [
			"-o",
			`Dir::State::lists=${lists}`,
			"-o",
			`Dir::Cache=${work}`,
			"-o",
			"APT::Sandbox::User=",
			"-o",
			"Debug::NoLocking=1",
		];
		execFileSync("apt-get", [...own, "update"], { stdio: ["ignore", "ignore", "pipe"] });
		download(work, own);
	}
	for (const name of readdirSync(work).filter((file) => file.endsWith(".deb"))) {
		execFileSync("dpkg", ["-x", join(work, name), root]);
	}
	// Two test runs may fetch at once: the first rename wins, the other uses it.
	try {
		renameSync(root, cache);
	} catch (error) {
		if (!existsSync(cache)) throw error;
	}
}

function find() {
	const named = process.env.REDIS_SERVER_BIN;
	if (named) {
		if (!executable(named)) throw new Error(`REDIS_SERVER_BIN is not an executable file: ${named}`);
		return { bin: named, libraryPath: "" };
	}
	for (const folder of (process.env.PATH ?? "").split(delimiter)) {
		const bin = join(folder, "redis-server");
		if (folder !== "" && executable(bin)) return { bin, libraryPath: "" };
	}
	if (unpacked(cache) === null) fetchWithoutRoot();
	const found = unpacked(cache);
	if (found === null) throw new Error("the redis packages held no server");
	return found;
}

try {
	process.stdout.write(`${JSON.stringify(find())}\n`);
} catch (error) {
	const reason = error.stderr?.toString().trim() || error.message;
	process.stderr.write(
		`no redis-server: set REDIS_SERVER_BIN, or install one (apt-get install -y redis-server)\n${reason}\n`,
	);
	process.exitCode = 1;
}
