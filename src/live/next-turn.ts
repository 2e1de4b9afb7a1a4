/** Settles when the loop has had a turn: sockets and timers were served. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
