/** The processes of an engine as one of them heard of them last, in its folder: Redis may come back without that list, too. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../live/ports';

export interface PeersFile {
  read(): readonly string[];
  write(holders: readonly string[]): void;
}

/** @param of names the log, in one line; who lived on another one is of no interest. */
export function peersFile(dir: string, of: string, logger: Logger): PeersFile {
  const file = join(dir, 'peers');
  return {
    read() {
      try {
        const [log, ...holders] = readFileSync(file, 'utf8').split('\n');
        return log === of ? holders.filter((one) => one !== '') : [];
      } catch {
        return [];
      }
    },
    write(holders) {
      try {
        writeFileSync(`${file}.new`, [of, ...holders, ''].join('\n'));
        renameSync(`${file}.new`, file);
      } catch (thrown) {
        logger.warn('who else lives cannot be kept in the folder of this process', { error: String(thrown) });
      }
    },
  };
}
