/** Node-RED in this process, with these nodes and a ready flow. Loopback only: its editor has no password. */
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { EngineError } from '../../core/domain/errors';
import type { Logger } from '../../live/ports';
import { demoCredentials, demoFlow } from './demo-flow';

export interface DemoOptions {
  /** Port of the editor. */
  readonly port: number;
  readonly dataDir: string;
  /** Root of this package: Node-RED loads the nodes from it. */
  readonly packageRoot: string;
  readonly logger: Logger;
  readonly logLevel: string;
}

export interface Demo {
  /** Stops flows, engine and servers; at most a few seconds. */
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** The part of Node-RED's module that is used to embed it. */
interface NodeRed {
  init(server: Server, settings: Readonly<Record<string, unknown>>): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly httpAdmin: Handler;
  readonly httpNode: Handler;
  readonly events: { once(name: string, listener: () => void): void };
}

const packageName = '@strategy-engine/node-red-strategy-engine';

/** Starts Node-RED. Rejects with a `ConnectionError` when the port is taken, a `NotFoundError` without Node-RED. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const userDir = join(options.dataDir, 'node-red');
  prepare(userDir, options);
  const red = await loadNodeRed();
  const server = createServer();
  red.init(server, settingsOf(userDir, options));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    red.httpAdmin(request, response, () => red.httpNode(request, response, () => notFound(response)));
  });
  await listen(server, options.port);
  const started = new Promise<void>((resolve) => red.events.once('flows:started', () => resolve()));
  await red.start();
  await started;
  return {
    async close() {
      await red.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function loadNodeRed(): Promise<NodeRed> {
  // Not a dependency: a second Node-RED in a user's directory would be one too many.
  const name = 'node-red';
  try {
    const loaded = (await import(name)) as NodeRed & { readonly default?: NodeRed };
    return loaded.default ?? loaded;
  } catch (cause) {
    throw new EngineError('NotFoundError', 'Node-RED is not installed here: npm install node-red', { cause });
  }
}

function settingsOf(userDir: string, { port, logLevel }: DemoOptions) {
  return {
    uiPort: port,
    uiHost: '127.0.0.1',
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    userDir,
    flowFile: 'flows.json',
    flowFilePretty: true,
    credentialSecret: false,
    contextStorage: { default: { module: 'memory' } },
    editorTheme: { tours: false, projects: { enabled: false } },
    telemetry: { enabled: false, updateNotification: false },
    logging: { console: { level: logLevel === 'debug' ? 'debug' : 'warn', metrics: false, audit: false } },
  };
}

/** The user directory: these nodes by a link, and on the first start the ready flow. What is there is never changed. */
function prepare(userDir: string, { packageRoot, logger }: DemoOptions): void {
  const link = join(userDir, 'node_modules', ...packageName.split('/'));
  mkdirSync(dirname(link), { recursive: true });
  if (!pointsTo(link, packageRoot)) {
    rmSync(link, { recursive: true, force: true });
    symlinkSync(packageRoot, link, 'junction');
  }
  const flows = join(userDir, 'flows.json');
  if (existsSync(flows)) {
    logger.info('your flows are kept', { flows });
    return;
  }
  writeFileSync(flows, `${JSON.stringify(demoFlow(), null, 2)}\n`);
  writeFileSync(join(userDir, 'flows_cred.json'), `${JSON.stringify(demoCredentials(), null, 2)}\n`, { mode: 0o600 });
  const manifest = join(userDir, 'package.json');
  if (!existsSync(manifest)) {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    const content = { name: 'strategy-engine-demo', private: true, dependencies: { [packageName]: `~${version}` } };
    writeFileSync(manifest, `${JSON.stringify(content, null, 2)}\n`);
  }
}

function pointsTo(link: string, target: string): boolean {
  try {
    return realpathSync(link) === realpathSync(target);
  } catch {
    return false;
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new EngineError('ConnectionError', `port ${port} cannot be listened on: ${cause.message}`, { cause }));
    });
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function notFound(response: ServerResponse): void {
  response.statusCode = 404;
  response.end('not found');
}
