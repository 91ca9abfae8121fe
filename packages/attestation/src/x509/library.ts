// SPDX-License-Identifier: Apache-2.0
// The only import of the library: it does not load before the polyfill has.
import 'reflect-metadata'

export {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509Crl,
  X509CrlGenerator,
} from '@peculiar/x509'
