/** `npm run report:faults`: writes the kept figures into PRODUCTION.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figuresFile, keptFigures } from '../helpers/figures';
import { root } from '../helpers/repository';
import { faultsTable, withTable } from './faults-table';

const path = join(root, 'PRODUCTION.md');
const figures = keptFigures();
const page = existsSync(path) ? readFileSync(path, 'utf8') : null;
writeFileSync(path, withTable(page, faultsTable(figures)));
console.log(`${figures.length} figures of ${figuresFile} are in PRODUCTION.md`);
