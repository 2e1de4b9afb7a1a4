/** `market data`: prices in any form in, checked ticks out. */
import { z } from 'zod';
import type { EngineDoor, ForeignContext } from '../src/index';
import { foreignItems, limits, marketForms, marketItemToWire, parseMarketValue } from '../src/index';
import { common, type Definition, defineNode, type Message, nextBatchId, offshoot, sequence, setting } from './shell';

const config = z.object({
  ...common,
  preset: setting.choice(marketForms, 'own'),
  symbolFrom: setting.choice(['payload', 'topic', 'fixed'], 'payload'),
  symbol: setting.text(),
  timeframe: setting.text(),
  map: setting.text(),
  source: setting.text(),
  assetType: setting.choice(['', 'crypto', 'forex', 'commodity', 'index', 'equity'], ''),
});

const message = z.object({ topic: z.string().optional() });

/** `price=last, volume=qty` → pairs. */
function fieldMap(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map((part) => part.split('=').map((side) => side.trim()));
  return new Map(pairs.flatMap(([name, place]) => (name && place ? [[name, place] as const] : [])));
}

/** `prices/BTCUSD` → `BTCUSD`. */
function lastPart(topic: string | undefined): string | null {
  const part = topic?.split('/').at(-1)?.trim();
  return part === undefined || part === '' ? null : part;
}

function rawOf(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined || text.length <= limits.deadLetterChars ? value : text.slice(0, limits.deadLetterChars);
}

export const definition: Definition<typeof config, typeof message> = {
  type: 'strategy-engine-market-data',
  version: 1,
  config,
  message,
  ports: { count: 2 },
  open(shell) {
    const { preset, symbolFrom, symbol, timeframe, source, assetType } = shell.config;
    const fields = fieldMap(shell.config.map);
    let passed = 0;
    let refused = 0;

    function contextOf(msg: Message, arrivalMs: number): ForeignContext {
      const ofTopic = lastPart(msg.topic);
      return {
        symbol: symbolFrom === 'fixed' ? symbol : ofTopic,
        overrideSymbol: symbolFrom !== 'payload',
        timeframe: timeframe === '' ? null : timeframe,
        fields,
        arrivalMs,
      };
    }

    function typed(item: unknown): unknown {
      if (assetType === '' || typeof item !== 'object' || item === null) return item;
      return { asset_type: assetType, ...item };
    }

    shell.status('grey', 'ready', 'ring');
    return {
      async input(msg, send) {
        const arrivalMs = Date.now();
        const raw = foreignItems(preset, msg.payload, contextOf(msg, arrivalMs)).map(typed);
        if (raw.length === 0) return;
        const door: EngineDoor = await shell.engine();
        const context = {
          arrivalMs,
          source: source === '' ? 'wire' : source,
          door: 'live' as const,
          pathPrefix: 'payload',
        };
        const input = parseMarketValue(raw, { ...context, ...door.marketRules });
        passed += input.items.length;
        refused += input.rejected.length;
        const first = input.items[0];
        const isOne = first !== undefined && input.items.every((item) => item.symbol === first.symbol);
        const topic = isOne ? first.symbol : (msg.topic ?? 'market_data');
        const rejected = input.rejected.map(({ index, path, message: reason }) =>
          offshoot(msg, { index, path, message: reason, raw: rawOf(raw[index]) }, { topic: 'rejected' }),
        );
        const ticks = offshoot(msg, input.items.map(marketItemToWire), { topic, batch_id: nextBatchId() });
        send([first === undefined ? null : ticks, sequence(rejected, String(msg._msgid ?? ''))]);
        shell.status(refused > 0 ? 'yellow' : 'green', refused > 0 ? `${passed} · ${refused} bad` : `${passed} ticks`);
      },
    };
  },
};

export default defineNode(definition);
