// What is to be done for the instances of one hypervisor when it dies. Today one policy holds for all of a cloud; this
// is the place where that of a segment, an image or an instance will be merged. Pure.

export interface Policy {
  /** Who chooses the targets: `reserved_host` takes a distinct spare for each dead host, as the original did. */
  readonly method: 'reserved_host';
  /** `required`: nothing moves before the host is proven to be off. */
  readonly fencing: 'none' | 'required';
  /** More dead hypervisors than this at once: none is recovered; 0 is dry mode. */
  readonly deadBackoff: number;
  readonly cooldownMs: number;
  readonly heartbeatPeriodMs: number;
  /** `leave`: a host whose service an operator disabled is not recovered; `recover`: like any other. */
  readonly disabledHosts: 'leave' | 'recover';
}

/** The policy of a host, from what the operator decided for the cloud. */
export function policyOf(
  _host: string,
  rules: Pick<Policy, 'fencing' | 'deadBackoff' | 'cooldownMs' | 'heartbeatPeriodMs' | 'disabledHosts'>,
): Policy {
  const { fencing, deadBackoff, cooldownMs, heartbeatPeriodMs, disabledHosts } = rules;
  return {
    ...{ method: 'reserved_host', fencing, deadBackoff, cooldownMs, heartbeatPeriodMs },
    disabledHosts,
  };
}
