// The login of a simulator, for clients of a test's own.
import type { Simulator } from '../../simulator/simulator.ts';

export function credentialsOf(simulator: Simulator) {
  const { username, password, projects, cloud } = simulator.settings;
  const domain = { name: 'Default' };
  return {
    cloud,
    file: 'none',
    authUrl: `${simulator.url('keystone')}/v3`,
    login: {
      method: 'password',
      user: { name: username, domain },
      project: { name: projects[0] ?? '', domain },
      password,
    },
    region: null,
    interface: 'public',
    tls: { ca: null, verify: true },
  } as const;
}
