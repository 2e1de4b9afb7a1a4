/** The flow that `strategy-engine demo` begins with: a simulated market into two strategies, the HTTP API beside them. */

/** Filled in by Node-RED from the environment, which the demo sets. */
function environment(name: string): string {
  return `\${${name}}`;
}

/** One node of a flow file. */
export type FlowNode = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

const engine = 'strategy-engine-demo';
const tab = 'strategy-engine-demo-tab';

export function demoFlow(): FlowNode[] {
  return [
    { id: tab, type: 'tab', label: 'Strategy engine', disabled: false, info: '' },
    engineNode(),
    comment('demo-c1', 'A simulated market (symbols SIM:…) into two strategies on 1-second bars', 80),
    {
      ...placed('demo-market', 'strategy-engine-market-replay', 150, 160),
      name: 'simulated market',
      origin: 'simulator',
      file: '',
      count: 0,
      startAt: '',
      symbols: 'SIM:BTC SIM:ETH SIM:EURUSD',
      seed: 1,
      ticksPerS: 5,
      speed: 1,
      batch: 100,
      autostart: true,
      wires: [['demo-cross', 'demo-revert'], []],
    },
    // Short on purpose: the first signal comes within half a minute, whenever the market is met.
    strategy('demo-cross', 'crossover', 'moving_average_crossover', 140, {
      fast_period: 2,
      slow_period: 5,
      adx_period: 3,
      adx_threshold: 10,
      atr_period: 3,
      confidence_threshold: 0.3,
    }),
    strategy('demo-revert', 'reversion', 'mean_reversion', 200, {}),
    debug('demo-signals', 'signals', 680, 140, 'payload'),
    debug('demo-why', 'why not', 680, 220, 'payload', false),
    comment('demo-c2', 'Everything the engine says, whichever door its market data came through', 300),
    {
      ...placed('demo-events', 'strategy-engine-events', 150, 360),
      name: 'events',
      kinds: ['alert', 'gap'],
      strategies: '',
      symbols: '',
      format: 'object',
      wires: [['demo-alerts']],
    },
    debug('demo-alerts', 'alerts', 680, 360, 'payload'),
    comment('demo-c3', 'The HTTP API: POST ticks, register strategies, track executions, ask for insights', 440),
    {
      ...placed('demo-api', 'strategy-engine-api', 150, 500),
      name: 'HTTP API',
      host: environment('API_HOST'),
      port: environment('API_PORT'),
      bodyKib: 1024,
      ratePerS: '',
      origins: '',
      wires: [['demo-handled']],
    },
    debug('demo-handled', 'answered', 680, 500, 'payload', false),
  ];
}

function engineNode(): FlowNode {
  return {
    id: engine,
    type: 'strategy-engine',
    version: 1,
    name: 'demo',
    engineName: 'demo',
    store: 'auto',
    path: environment('STRATEGY_ENGINE_STORE'),
    redisUrl: environment('REDIS_URL'),
    outputChannel: 'strategy_engine_output',
    listen: true,
  };
}

function placed(id: string, type: string, x: number, y: number) {
  return { id, type, z: tab, version: 1, engine, x, y };
}

function strategy(id: string, name: string, strategyType: string, y: number, parameters: object): FlowNode {
  return {
    ...placed(id, 'strategy-engine-strategy', 420, y),
    name,
    strategyType,
    symbols: 'SIM:BTC SIM:ETH SIM:EURUSD',
    timeframe: '1s',
    state: 'active',
    capital: '',
    allowShort: true,
    parameters,
    format: 'object',
    decisions: 'changes',
    wires: [['demo-signals'], ['demo-why']],
  };
}

function debug(id: string, name: string, x: number, y: number, complete: string, active = true): FlowNode {
  const shown = { tosidebar: true, console: false, tostatus: false, complete, targetType: 'msg' };
  return { id, type: 'debug', z: tab, name, active, ...shown, x, y, wires: [] };
}

function comment(id: string, name: string, y: number): FlowNode {
  return { id, type: 'comment', z: tab, name, info: '', x: 320, y, wires: [] };
}

/** Secrets of the flow, by node id; the value is filled in from the environment too. */
export function demoCredentials(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return { 'demo-api': { token: environment('API_TOKEN') } };
}
