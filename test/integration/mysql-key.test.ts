// Somebody in the path of a plain connection to MySQL, who says "send me the password, encrypted with this key": a key
// of his own. He must not get it.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createNovaDatabase } from '../../src/ns4/nova-database/nova-database.ts';

const password = 'Nova-DB-passw0rd';

const salt = Buffer.from('0123456789abcdefghij\0');

/** MySQL's greeting, with this plugin as the server's default. */
function greeting(plugin: string): Buffer {
  return Buffer.concat([
    Buffer.from([10]),
    Buffer.from('8.4.0\0'),
    Buffer.from([1, 0, 0, 0]),
    salt.subarray(0, 8),
    // Capabilities (protocol 4.1, secure connection, plugin auth), utf8mb4, autocommit, 21 bytes of salt to come.
    Buffer.from([0, 0xff, 0xff, 45, 2, 0, 0xff, 0xc7 & 0xdf, 21]),
    Buffer.alloc(10),
    salt.subarray(8),
    Buffer.from(`${plugin}\0`),
  ]);
}

function send(socket: Socket, sequence: number, body: Buffer): void {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence;
  socket.write(Buffer.concat([head, body]));
}

it.each(['caching_sha2_password', 'sha256_password'])('%s', async (plugin) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  /** Packets of the client after its first, which holds its name. */
  const heard: Buffer[] = [];
  const server = createServer((socket) => {
    let packets = 0;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      packets += 1;
      if (packets > 1) heard.push(data.subarray(4));
      const next = (data[3] ?? 0) + 1;
      // The client is to use this plugin; then "authenticate in full"; then the key to whoever asks for it.
      if (packets === 1)
        send(socket, next, Buffer.concat([Buffer.from([254]), Buffer.from(`${plugin}\0`), salt]));
      else if (data.length === 36) send(socket, next, Buffer.from([1, 4]));
      else if (data.length === 5) send(socket, next, Buffer.concat([Buffer.from([1]), Buffer.from(pem)]));
      else socket.end();
    });
    send(socket, 0, greeting(plugin));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const settings = { host: '127.0.0.1', port, user: 'nova', password, database: 'nova', ca: null };
  const database = createNovaDatabase(settings);
  await expect(database.check()).rejects.toThrow(/the server wants the password itself.*set \[MYSQL\] ca/);
  await database.close();
  server.close();
  // No request for the key, and nothing that it encrypts: a scramble of 32 bytes at most.
  expect(heard.map((packet) => packet.length)).toEqual(plugin === 'sha256_password' ? [] : [32]);
});
