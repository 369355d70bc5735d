// Methods: who chooses where the instances of dead hosts go, from facts and policy alone. One more is one more entry
// here.
import type { Policy } from '../../../shared/rules/policy.ts';
import type { Method } from './plan-request.ts';
import { reservedHost } from './reserved-host.ts';

export const methods: Readonly<Record<Policy['method'], Method>> = { reserved_host: reservedHost };
