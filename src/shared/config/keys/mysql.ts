// [MYSQL] of config.ini: Nova's database, which ns4 writes with "evacuate = database".
import { type Given, key } from '../key.ts';
import { host, port, text } from '../value-types.ts';

/** Needed where something uses the section. */
const neededFor =
  (what: string) =>
  ({ process, text }: Given) =>
    process !== 'sonny' && text('OPENSTACK', 'evacuate')?.toLowerCase() === 'database'
      ? `${what}, as [OPENSTACK] evacuate is database`
      : null;

export const mysqlKeys = {
  name: 'MYSQL',
  onlyFor: 'Only for "evacuate = database"; host, user and pass are required then.',
  keys: {
    host: key('host', host, {
      example: '10.0.0.11',
      about: "Nova's database server.",
      needed: neededFor("the name or address of Nova's database server"),
    }),
    port: key('port', port, { default: '3306', about: 'Its port.' }),
    user: key('user', text, {
      example: 'nova',
      about: 'The user to log in as.',
      needed: neededFor('the user to log in as'),
    }),
    password: key('pass', text, {
      secret: true,
      about: 'The password to log in with.',
      needed: neededFor('the password to log in with'),
    }),
    database: key('database', text, { default: 'nova', about: "The name of Nova's database." }),
    ca: key('ca', text, {
      example: '/etc/ssl/certs/mysql-ca.pem',
      about: "A file with the certificate of the CA that signed the server's, relative to config.ini.",
      more: "With it the connection is TLS and the server's name is checked.",
      without: 'the connection is plain',
    }),
  },
} as const;
