// What tsc leaves to do: the Lua scripts and the helper programs of scanner and storage go to where the compiled files
// look for them, and the entry files are marked as executable (`npm link`, or a call by path, would fail).
import { chmodSync, cpSync, readFileSync, rmSync } from 'node:fs';

const at = (path) => new URL(`../${path}`, import.meta.url);
const scripts = 'shared/redis/scripts';
rmSync(at(`dist/${scripts}`), { recursive: true, force: true });
cpSync(at(`src/${scripts}`), at(`dist/${scripts}`), { recursive: true });

const helpers = ['ns4/scan/icmp-offender.py', 'ns4/ceph/helper'];
for (const helper of helpers) {
  rmSync(at(`dist/${helper}`), { recursive: true, force: true });
  // What Python leaves beside them, should anybody have run them here, stays.
  const filter = (path) => !path.includes('__pycache__');
  cpSync(at(`src/${helper}`), at(`dist/${helper}`), { recursive: true, filter });
}

const { bin } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
for (const file of Object.values(bin)) chmodSync(at(file), 0o755);
