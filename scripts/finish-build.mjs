// What tsc leaves to do: the Lua scripts and the helper program of the scanner go to where the compiled files look for
// them, and the entry files are marked as executable (`npm link`, or a call by path, would fail).
import { chmodSync, cpSync, readFileSync, rmSync } from 'node:fs';

const at = (path) => new URL(`../${path}`, import.meta.url);
const scripts = 'shared/redis/scripts';
rmSync(at(`dist/${scripts}`), { recursive: true, force: true });
cpSync(at(`src/${scripts}`), at(`dist/${scripts}`), { recursive: true });

const helper = 'ns4/scan/icmp-offender.py';
cpSync(at(`src/${helper}`), at(`dist/${helper}`));

const { bin } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
for (const file of Object.values(bin)) chmodSync(at(file), 0o755);
