// A fence agent that has somebody else answer, over a connection: the test does, wherever the agent itself runs.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** By the protocol of fence agents: the exit code, and what is printed. */
interface AgentAnswer {
  readonly code: number;
  readonly output: string;
}

export interface Answering {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers all that such agents ask; `answer` is told the action. */
export async function answering(answer: (action: string) => Promise<AgentAnswer>): Promise<Answering> {
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.on('error', () => {});
    let asked = '';
    socket.setEncoding('utf8').on('data', (text) => {
      asked += text;
    });
    await once(socket, 'end');
    const [, action = ''] = /^action=(.*)$/m.exec(asked) ?? [];
    const { code, output } = await answer(action).catch((error) => ({ code: 1, output: String(error) }));
    socket.end(`${code}\n${output}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** The agent's own program: what it reads it hands on. */
export const agentAsking = (port: number): string => `#!/usr/bin/python3
import socket, sys
with socket.create_connection(("127.0.0.1", ${port})) as asked:
    asked.sendall(sys.stdin.buffer.read())
    asked.shutdown(socket.SHUT_WR)
    code, _, output = asked.makefile().read().partition("\\n")
print(output)
sys.exit(int(code))
`;
