import { z } from 'zod';
import { Certificate, SetCertificate } from '../certificates.js';
import { CertificateHost } from '../hosts.js';
import { page, PageRequest } from '../pages.js';
import { defineRpc } from './define.js';

const named = z.strictObject({ host: CertificateHost });

export const certificateRpc = {
  set: defineRpc('scheduler', 'certificate.set', named.extend(SetCertificate.shape), Certificate),
  remove: defineRpc('scheduler', 'certificate.remove', named, z.object({})),
  list: defineRpc('scheduler', 'certificate.list', PageRequest, page(Certificate)),
};
