// What a cloud's answers say against clouds.yaml itself: no repetition will change them, somebody has to edit the file.
import { CloudError } from '../cloud/cloud.ts';

/** Keystone refuses the login, or its catalogue has no such region, interface or service. */
export class CloudConfigurationError extends CloudError {
  constructor(message: string, status: number | null) {
    super('not-done', message, status);
    this.name = 'CloudConfigurationError';
  }
}
