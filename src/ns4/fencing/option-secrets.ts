// Which options of fence agents may be secrets. Agents are many, and new ones may call a password what they like: so an
// option counts as one unless its name, or what it holds, is known to be harmless. Pure.
import { isIP } from 'node:net';
import { shortestSecret } from '../../shared/masks/secrets.ts';
import { isSecretOption } from './plan.ts';

/** The options of the fence agents of Debian that hold no secret, as their metadata have them, with "-" as "_". */
const harmless = new Set(
  `action api_path api_type api_version apitimeout apiversion aptpl auth_url baremetalsolution boot_option cacert cipher
  cloud cmd_prompt compute_domain connect_retries connect_timeout crn crosscableip debug debug_file delay devices diag
  disable_http_filter disable_ssl disable_timeout domain drac_version earlyexit email endpoint_type errortimeout exec
  fabric_fencing filter force force_on graceful hidden_page hmc_version host_os inet4_only inet6_only insecure instance
  instance_filtering ip ipaddr ipport ipmitool_timeout lanplus limit load_on_activate logfile login login_timeout managed
  method msi name namespace network_fencing no_login no_off no_on no_password no_port no_shared_storage no_status nodename
  node_name notls operation_timeout openrc outlet ping_count ping_good_count ping_interval ping_maxfail ping_targets
  ping_timeout plug plug_separator plugzonemap port port_as_ip power_timeout power_wait privlvl project project_domain
  project_domain_name project_name proxyhost proxyport pve_node pve_node_auto quiet ram_role random_sleep_range
  read_retries read_timeout readonly record_only redfish_uri region region_name retries retry_on retrysleep ribcl
  runonfail runonwarn secure separator serial_params serial_port serviceaccount shell_timeout snmp_auth_prot
  snmp_priv_prot snmp_sec_level snmp_version ssh ssh_options ssl ssl_insecure ssl_secure stackdriver_logging
  stonith_status_sleep suborg sudo suppress_errors switch systems_uri target telnet tenant_name timeout tls1 type
  use_cookies user_domain user_domain_name username uuid verbose verbose_level version vmtype vmware_datacenter
  vmware_type warntimeout zone interval count family`.split(/\s+/),
);

/** How fence_ipmilan calls kinds of a login. */
const kindsOfAuth = new Set(['none', 'md2', 'md5', 'password', 'oem']);

/**
 * May the value of this option be a secret? What names the host (`host`, or "{host}" in the file) or an address is none,
 * and neither is what is too short to be one; unless the name of the option says so.
 */
function mayBeSecret(key: string, value: string, host: string | null): boolean {
  if (value === '') return false;
  if (isSecretOption(key)) return true;
  const name = key.replaceAll('-', '_').replace(/^_+/, '').toLowerCase();
  if (harmless.has(name) || /(script|file|path|_uri|timeout|delay|wait)$/.test(name)) return false;
  if (name === 'auth' && kindsOfAuth.has(value.toLowerCase())) return false;
  const namesHost = value.includes('{host}') || value === host || value.startsWith(`${host}.`);
  return value.length >= shortestSecret && isIP(value) === 0 && !namesHost && !/^(true|false)$/i.test(value);
}

/** The values that no output may show. */
export const secretsOf = (options: Readonly<Record<string, string>>, host: string | null): string[] =>
  Object.entries(options).flatMap(([key, value]) => (mayBeSecret(key, value, host) ? [value] : []));
