// Compiles src and nodes to dist/, and puts beside the compiled nodes what Node-RED looks for there:
// their .html, icons/ and locales/ (it ignores the top-level icons/ of a package without saying so).
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
rmSync(dist, { recursive: true, force: true });
execFileSync(
	process.execPath,
	[
		join(root, "node_modules/typescript/bin/tsc"),
		"-p",
		join(root, "tsconfig.json"),
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
	["icons", "dist/nodes/icons"],
	["nodes/locales", "dist/nodes/locales"],
]) {
	if (existsSync(join(root, from)))
		cpSync(join(root, from), join(root, to), { recursive: true });
}
