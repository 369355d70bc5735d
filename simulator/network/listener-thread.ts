// The program of the thread behind one address, as text: a worker cannot load a .ts file under Node 20, and the same
// text serves tests (TypeScript) and the built demo (JavaScript) alike.
//
// The thread owns the listening sockets of its address. "block" stops its event loop: the kernel goes on shaking
// hands until the accept queue (backlog 1) is full, and then drops every SYN, as a machine without power would.

/** What the thread is told. `block`: listen on these ports and then stop accepting until the flag is lowered. */
export interface ListenerOrder {
  readonly ports: readonly number[];
  readonly block: boolean;
}

/** What the thread answers: `listening` (or `blocked`) once the order is carried out, or why it could not be. */
export type ListenerReply = { readonly done: true } | { readonly done: false; readonly why: string };

/** Connections a listening socket of backlog 1 takes in before Linux drops further SYNs. */
export const acceptQueueLength = 2;

/** The thread's source. workerData: { address, flag: SharedArrayBuffer of one Int32; 1 = blocked }. */
export const listenerThreadSource = `
const { parentPort, workerData } = require('node:worker_threads');
const net = require('node:net');
const flag = new Int32Array(workerData.flag);
const servers = new Map();
const connections = new Set();

function open(port) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((connection) => {
      connections.add(connection);
      connection.on('close', () => connections.delete(connection));
      connection.on('error', () => connection.destroy());
      connection.resume();
    });
    server.once('error', reject);
    server.listen({ host: workerData.address, port, backlog: 1 }, () => {
      servers.set(port, server);
      resolve();
    });
  });
}

// One that is being ended already cannot be reset: Node would never close its handle, and the thread would never end.
function drop(connection) {
  if (connection.writableEnded) connection.destroy();
  else connection.resetAndDestroy();
}

async function obey({ ports, block }) {
  for (const [port, server] of servers) {
    if (ports.includes(port)) continue;
    servers.delete(port);
    server.close();
    for (const connection of connections) if (connection.localPort === port) drop(connection);
  }
  await Promise.all(ports.filter((port) => !servers.has(port)).map(open));
  if (block) Atomics.store(flag, 0, 1);
  parentPort.postMessage({ done: true });
  // Nothing of this thread runs past this line before the flag is lowered.
  if (block) Atomics.wait(flag, 0, 1);
}

parentPort.on('message', (order) => {
  obey(order).catch((error) => parentPort.postMessage({ done: false, why: String(error.message) }));
});
`;
