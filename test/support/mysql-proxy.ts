// A TCP proxy before MySQL that sees each statement and may break the connection at it, on either side of its effect.
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

/**
 * - pass: goes on as usual;
 * - cut: the server never gets the statement, both sides lose the connection;
 * - lose-answer: the server carries it out, then both sides lose the connection;
 * - freeze: the server never gets it, and neither side hears that the other is gone.
 */
export type Fate = 'pass' | 'cut' | 'lose-answer' | 'freeze';

export interface MysqlProxy {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `decide` gets the text of plain statements, "prepare …" with the text of prepared ones, and "execute" for each run of
 * one. It may take its time: the statement waits.
 */
export async function startMysqlProxy(
  targetPort: number,
  decide: (statement: string) => Fate | Promise<Fate>,
): Promise<MysqlProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = tcpConnect(targetPort, '127.0.0.1');
    let fate: Fate = 'pass';
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        if (fate !== 'freeze') cut();
      });
    }
    client.on('data', async (packet) => {
      const statement = statementOf(packet);
      if (statement !== null) fate = await decide(statement);
      if (fate === 'cut') cut();
      else if (fate !== 'freeze') upstream.write(packet);
    });
    upstream.on('data', (answer) => {
      if (fate === 'lose-answer') cut();
      else if (fate === 'pass') client.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * A client that waits for each answer sends one packet at a time: length (3 bytes), number (0 for a command), command.
 */
function statementOf(packet: Buffer): string | null {
  if (packet[3] !== 0) return null;
  const text = packet.subarray(5).toString();
  if (packet[4] === 0x03) return text;
  if (packet[4] === 0x16) return `prepare ${text}`;
  return packet[4] === 0x17 ? 'execute' : null;
}
