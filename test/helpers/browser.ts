/** A headless Chromium: CHROMIUM_BIN, or `chromium` on the PATH. */
import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

function executable(): string | null {
  const asked = process.env.CHROMIUM_BIN ?? 'chromium';
  return spawnSync(asked, ['--version'], { stdio: 'ignore' }).status === 0 ? asked : null;
}

/** The browser; `null`, said loudly, where there is none. In CI that is a failure. */
export async function openBrowser(): Promise<Browser | null> {
  const binary = executable();
  if (binary === null) {
    if (process.env.CI === 'true') throw new Error('no Chromium: set CHROMIUM_BIN or install chromium');
    console.error(
      '\n  NO BROWSER: set CHROMIUM_BIN or install chromium; what only a browser shows is not tested here\n',
    );
    return null;
  }
  const path = binary.includes('/') ? binary : spawnSync('which', [binary], { encoding: 'utf8' }).stdout.trim();
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet] });
}
