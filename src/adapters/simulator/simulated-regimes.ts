/**
 * Regimes of the simulated market. They are short and strong on purpose, so that a demo shows a trend within a minute;
 * nothing about them says how a strategy would do on a real market.
 */

export type SimulatedRegime = 'calm' | 'trend_up' | 'trend_down' | 'volatile' | 'stress';

/** How the market moves in one regime, and which regimes may follow. */
export interface Character {
  /** Per √s, relative to the price. */
  readonly volatility: number;
  /** Per s, relative to the price. */
  readonly drift: number;
  /** Bid to ask, relative to the price. */
  readonly spread: number;
  /** How long it lasts, relative to a trend. */
  readonly dwell: number;
  readonly next: readonly SimulatedRegime[];
}

const basisPoint = 1e-4;
export const characters: Readonly<Record<SimulatedRegime, Character>> = {
  calm: {
    volatility: basisPoint,
    drift: 0,
    spread: basisPoint,
    dwell: 0.5,
    next: ['trend_up', 'trend_down', 'volatile'],
  },
  trend_up: {
    volatility: 1.2 * basisPoint,
    drift: 4 * basisPoint,
    spread: basisPoint,
    dwell: 1,
    next: ['trend_down', 'trend_down', 'trend_down', 'calm', 'volatile'],
  },
  trend_down: {
    volatility: 1.2 * basisPoint,
    drift: -4 * basisPoint,
    spread: basisPoint,
    dwell: 1,
    next: ['trend_up', 'trend_up', 'trend_up', 'calm', 'stress'],
  },
  volatile: {
    volatility: 4 * basisPoint,
    drift: 0,
    spread: 2 * basisPoint,
    dwell: 0.5,
    next: ['trend_up', 'trend_down', 'calm'],
  },
  stress: {
    volatility: 15 * basisPoint,
    drift: -5 * basisPoint,
    spread: 8 * basisPoint,
    dwell: 0.4,
    next: ['volatile', 'trend_up'],
  },
};
