// The real OpenStack of the test bed as a World: everything is done by its own tool.
import { z } from 'zod';
import { overHttp, type World } from './cloud-contract-stage.ts';
import { cloudTool } from './cloud-tool.ts';
import { Testbed } from './testbed.ts';

const environment = z.object({
  cloud: z.string(),
  region: z.string(),
  auth_url: z.string(),
  username: z.string(),
  password: z.string(),
  project: z.string(),
  domain: z.string(),
  clouds_yaml: z.string(),
  hypervisors: z.record(z.string(), z.string()),
});

/** The running cloud (`cloud up` is not done here), with nothing on it and every hypervisor enabled. */
export async function realCloud(): Promise<World> {
  const env = environment.parse(JSON.parse(await cloudTool('env')));
  const domain = { name: env.domain };
  const hosts = Object.keys(env.hypervisors).sort();
  const killed = new Set<string>();
  // Other tests may have been here before, and leave a spare behind.
  const testbed = await Testbed.open();
  await testbed.reset(null);
  await testbed.close();
  return {
    hosts,
    ...overHttp({
      cloud: env.cloud,
      file: env.clouds_yaml,
      authUrl: env.auth_url,
      login: {
        method: 'password',
        user: { name: env.username, domain },
        project: { name: env.project, domain },
        password: env.password,
      },
      region: env.region,
      interface: 'public',
      tls: { ca: null, verify: true },
    }),
    boot: async (name, host, options) => {
      const printed = await cloudTool(
        'boot',
        name,
        '--host',
        host,
        ...(options?.stopped ? ['--stopped'] : []),
      );
      return printed.split(' ')[0] ?? '';
    },
    kill: async (host) => {
      killed.add(host);
      await cloudTool('kill', host);
    },
    revive: async (host) => {
      await cloudTool('revive', host);
      killed.delete(host);
    },
    spare: async (host) => void (await cloudTool('spare', host)),
    unspare: async (host) => void (await cloudTool('unspare', host)),
    close: async () => {
      for (const host of killed) await cloudTool('revive', host);
      await cloudTool('clean');
      for (const host of hosts) await cloudTool('unspare', host);
    },
  };
}
