// The blocks of images on the lab's Ceph: guests of a hypervisor that write them as fast as they can, and a reader of what
// lies in them. Both are programs that stay, as starting one takes longer than a round of a test may.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { cephLab, labAccess } from './ceph-lab.ts';

/** Objects per image that are written to: three images have some in nearly every placement group. */
const blocksPerImage = 64;

const connects = `
import errno, json, rados, rbd, sys, threading, time
conf, user, keyring, blocks = sys.argv[1:]
blocks = int(blocks)
def connect():
    cluster = rados.Rados(conffile=conf, name=user, conf={'keyring': keyring, 'rbd_cache': 'false'})
    cluster.connect()
    return cluster
`;

/** Each writer is a client of its own, and goes on trying when it is refused. A block is "IMAGE NUMBER". */
const writes = `${connects}
class Writer(threading.Thread):
    def __init__(self, image):
        super().__init__(daemon=True)
        self.name, self.begun, self.ending = image, threading.Event(), False
        self.said = {'writes': 0, 'refused': 0, 'lastBegunAtMs': 0, 'why': ''}

    def run(self):
        cluster, said = connect(), self.said
        io = cluster.open_ioctx('vms')
        rbd.RBD().create(io, self.name, blocks << 22, old_format=False, features=61)
        with rbd.Image(io, self.name) as image:
            for number in range(1 << 40):
                if self.ending: break
                at = time.time() * 1000
                try:
                    image.write(('%s %d' % (self.name, number)).encode().ljust(512, b'\\0'), number % blocks << 22)
                except Exception as error:
                    said.update(refused=said['refused'] + 1, why=str(error))
                    time.sleep(0.02)
                    continue
                said.update(writes=said['writes'] + 1, lastBegunAtMs=at)
                # Twice around, so that each block that changes later was there.
                if number == 2 * blocks: self.begun.set()
        io.close()
        cluster.shutdown()

for line in sys.stdin:
    images = json.loads(line)
    writers = [Writer(image) for image in images]
    for writer in writers: writer.start()
    for writer in writers:
        if not writer.begun.wait(60): sys.exit('%s does not write: %r' % (writer.name, writer.said))
    print('[]', flush=True)
    if not sys.stdin.readline(): break
    for writer in writers: writer.ending = True
    for writer in writers: writer.join(60)
    print(json.dumps([writer.said for writer in writers]), flush=True)
`;

/** All objects are asked for at once; an image is met before, by its header. */
const reads = `${connects}
io = connect().open_ioctx('vms')
prefixes = {}

def meet(images):
    for image in images:
        with rbd.Image(io, image, read_only=True) as opened:
            prefixes[image] = opened.stat()['block_name_prefix']

def all_at_once(images, begin):
    objects = [(image, block) for block in range(blocks) for image in images]
    found, ended = {}, threading.Semaphore(0)
    for key in objects:
        def take(completion, data=None, key=key):
            code = completion.get_return_value()
            found[key] = code if code < 0 and code != -errno.ENOENT else (data or b'').rstrip(b'\\0').decode()
            ended.release()
        begin('%s.%016x' % (prefixes[key[0]], key[1]), take)
    for _ in objects:
        if not ended.acquire(timeout=60): sys.exit('an OSD does not answer')
    if any(isinstance(one, int) for one in found.values()): sys.exit('cannot be read: %r' % found)
    return {image: [found[image, block] for block in range(blocks)] for image in images}

for line in sys.stdin:
    verb, images = json.loads(line)
    if verb == 'meet': answer = meet(images)
    elif verb == 'look': answer = all_at_once(images, lambda name, take: io.aio_read(name, 512, 0, take))
    else: answer = all_at_once(images, lambda name, take: io.aio_remove(name, take)) and None
    print(json.dumps(answer), flush=True)
`;

/** A python3 in the lab that takes lines of JSON, and answers each with one. */
class Program {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Its connections come from this address. */
  static async start(text: string, address: string, user: string): Promise<Program> {
    const { conf, keyring } = await labAccess(user);
    const args = ['on', address, '/usr/bin/python3', '-c', text];
    const access = [conf ?? '', user, keyring ?? '', String(blocksPerImage)];
    const child = spawn(cephLab ?? '', [...args, ...access], { cwd: '/' });
    child.stderr.pipe(process.stderr);
    // One that is gone before it read everything: its missing answer tells.
    child.stdin.on('error', () => undefined);
    return new Program(child);
  }

  async ask(question: unknown): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value } = await this.#lines.next();
    if (typeof value !== 'string') throw new Error('a program of the lab has ended');
    return JSON.parse(value);
  }

  /** At once, whatever it does. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}

const writtenSchema = z.array(
  z.object({
    writes: z.number(),
    refused: z.number(),
    /** When the newest acknowledged write was begun, ms since the epoch. */
    lastBegunAtMs: z.number(),
    /** Of the last refusal. */
    why: z.string(),
  }),
);

/** One writer for each image, on a hypervisor of that address. */
export class Writers {
  readonly address: string;
  readonly #program: Program;

  private constructor(address: string, program: Program) {
    this.address = address;
    this.#program = program;
  }

  static async on(address: string): Promise<Writers> {
    return new Writers(address, await Program.start(writes, address, 'client.nova'));
  }

  /** Makes the images; resolves when each of their blocks was written. */
  async begin(images: readonly string[]): Promise<void> {
    await this.#program.ask(images);
  }

  /** They close their images; what became of each. */
  async end(): Promise<z.infer<typeof writtenSchema>> {
    return writtenSchema.parse(await this.#program.ask('end'));
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}

const blocksSchema = z.record(z.string(), z.array(z.string()));
/** By image its blocks. */
export type Blocks = Readonly<z.infer<typeof blocksSchema>>;

/**
 * Over one connection, which has the map of its last answers: a look right after a change of the map does not itself teach
 * the OSDs whom they have to refuse.
 */
export class BlockReader {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async start(): Promise<BlockReader> {
    return new BlockReader(await Program.start(reads, '127.0.61.41', 'client.admin'));
  }

  /** Before the first look at an image. */
  async meet(images: readonly string[]): Promise<void> {
    await this.#program.ask(['meet', images]);
  }

  async look(images: readonly string[]): Promise<Blocks> {
    return blocksSchema.parse(await this.#program.ask(['look', images]));
  }

  /** Takes the blocks away: the lab keeps all in memory. */
  async forget(images: readonly string[]): Promise<void> {
    await this.#program.ask(['forget', images]);
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}
