// How to log in to one OpenStack cloud, as clouds.yaml's reader hands it out: checked, complete, without ambiguity.

/** A domain by id or by name. */
export type DomainReference = { readonly id: string } | { readonly name: string };

/** A user or a project: by id, which is unique in the cloud, or by a name that is unique in its domain. */
export type ScopedReference =
  | { readonly id: string }
  | { readonly name: string; readonly domain: DomainReference };

/** User and password (auth_type password or v3password), scoped to a project. */
interface PasswordLogin {
  readonly method: 'password';
  readonly user: ScopedReference;
  readonly password: string;
  readonly project: ScopedReference;
}

/** An application credential (auth_type v3applicationcredential). It belongs to a project, so none is named. */
interface ApplicationCredentialLogin {
  readonly method: 'application-credential';
  /** By id, or by a name that is unique for its user. */
  readonly credential: { readonly id: string } | { readonly name: string; readonly user: ScopedReference };
  readonly secret: string;
}

export type ServiceName = 'compute' | 'network' | 'placement' | 'identity';

export type InterfaceName = 'public' | 'internal' | 'admin';

/** What holds for one service; null: as for the cloud. */
export interface ServiceChoice {
  /** Its endpoint, whatever the catalogue says. */
  readonly override: string | null;
  readonly interface: InterfaceName | null;
  readonly region: string | null;
}

/** Everything a client needs to reach one cloud. */
export interface CloudCredentials {
  /** Name in clouds.yaml. */
  readonly cloud: string;
  /** The clouds.yaml it was read from. */
  readonly file: string;
  /** Keystone's version 3 endpoint, ending in /v3 without a slash behind it, whichever way the file has it. */
  readonly authUrl: string;
  readonly login: PasswordLogin | ApplicationCredentialLogin;
  /** Null: the only region of the catalogue; one with several needs a choice. */
  readonly region: string | null;
  /** Which of a service's endpoints to talk to. */
  readonly interface: InterfaceName;
  /** Services for which clouds.yaml says otherwise. */
  readonly services?: Readonly<Partial<Record<ServiceName, ServiceChoice>>>;
  readonly tls: {
    /** PEM text of the CA certificates to trust; null: the system's. */
    readonly ca: string | null;
    /** False: certificates are not checked at all. */
    readonly verify: boolean;
    /** PEM texts of our own certificate and its key, for servers that ask for one. */
    readonly client?: { readonly cert: string; readonly key: string };
  };
}
