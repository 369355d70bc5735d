// A cable to a server on loopback that can be cut and mended: while it is cut nothing passes and nothing is closed, as
// when a switch dies between two machines. New connections are taken and get no answer either.
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;
  readonly #waiting: (() => void)[] = [];

  private constructor(toPort: number) {
    this.#server = createServer((near) => {
      const far = connect(toPort, '127.0.0.1');
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  static async to(port: number): Promise<Cable> {
    const cable = new Cable(port);
    await new Promise<void>((resolve) => cable.#server.listen(0, '127.0.0.1', resolve));
    return cable;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (chunk) => this.#pass(() => to.write(chunk)));
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#pass(() => to.destroy());
    });
    from.on('error', () => {});
  }

  /** In order: what came while it was cut arrives first when it is mended, as TCP has it. */
  #pass(deliver: () => void): void {
    if (this.#cut) this.#waiting.push(deliver);
    else deliver();
  }

  cut(): void {
    this.#cut = true;
  }

  mend(): void {
    this.#cut = false;
    for (const deliver of this.#waiting.splice(0)) deliver();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
