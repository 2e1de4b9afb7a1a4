// Compiles src and nodes to dist/, and puts beside the compiled nodes what Node-RED looks for there:
// their .html, icons/ and locales/ (it ignores the top-level icons/ of a package without saying so).
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// Another place may be given, so that a test can build a package without touching the one in use.
const dist = resolve(process.argv[2] ?? join(root, "dist"));
rmSync(dist, { recursive: true, force: true });
execFileSync(
	process.execPath,
	[
		join(root, "node_modules/typescript/bin/tsc"),
		"-p",
		join(root, "tsconfig.json"),
		"--outDir",
		dist,
	],
	{
		stdio: "inherit",
	},
);
mkdirSync(join(dist, "nodes"), { recursive: true });
for (const file of readdirSync(join(root, "nodes"))) {
	if (file.endsWith(".html"))
		cpSync(join(root, "nodes", file), join(dist, "nodes", file));
}
for (const [from, to] of [
	["icons", "nodes/icons"],
	["nodes/locales", "nodes/locales"],
]) {
	if (existsSync(join(root, from)))
		cpSync(join(root, from), join(dist, to), { recursive: true });
}
