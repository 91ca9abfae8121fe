// SPDX-License-Identifier: Apache-2.0
export { type OpenInput, openAead, openAeadInto, type SealInput, sealAead } from './aead/aead.ts'
export { type AeadProvider, aeadNonceSizeBytes, aeadTagSizeBytes } from './aead/provider.ts'
export { webCryptoAead } from './aead/webcrypto-provider.ts'
export {
  type CborDecodeOptions,
  type CborEncodeOptions,
  cborMaxDepth,
  decodeCbor,
  encodeCbor,
} from './cbor/cbor.ts'
export {
  assertKeyPair,
  generateSigningKeyPair,
  keyThumbprint,
  keyThumbprintBytes,
  publicKeySizeBytes,
  type SigningKeyPair,
  signatureSizeBytes,
  signDetached,
  signingKeyPairFrom,
  verifyDetached,
} from './ed25519/ed25519.ts'
export { parsePublicKey, publicKeyFromJwk, publicKeyToJwk } from './ed25519/jwk.ts'
export { cryptoReady } from './ed25519/sodium.ts'
export {
  concatBytes,
  equalBytes,
  randomBytes,
  stockedRandomBytes,
  uint32Bytes,
  uint64Bytes,
  unsharedBytes,
} from './encoding/bytes.ts'
export { fromBase64Url, fromHex, toBase64Url, toHex, utf8Bytes } from './encoding/text.ts'
export { CryptoError, type CryptoErrorCode, cryptoErrorTable } from './errors.ts'
export {
  createSha256,
  domain,
  hmacSha256,
  labeledHash,
  type Sha256Stream,
  sha256,
  sha256Async,
  sha384,
  sha512,
} from './hash/hash.ts'
export { deriveCommitment, deriveSubkey, hkdfExtract, type KeyMaterial } from './hash/hkdf.ts'
export {
  generateReleaseKeyPair,
  openKeyRelease,
  type ReleaseKeyPair,
  releaseKeyPairFrom,
  releaseKeySizeBytes,
  type SealedKeyRelease,
  sealKeyRelease,
} from './hpke/key-release.ts'
export {
  jwsMaxSizeBytes,
  type SignJwsInput,
  signJws,
  type VerifiedJws,
  type VerifyJwsOptions,
  verifyJws,
} from './jws/jws.ts'
export type { AeadKeyKind, DerivationKeyKind, SecretKind } from './secret/kinds.ts'
export { secretSizesBytes } from './secret/kinds.ts'
export { expose, Secret, wipe } from './secret/secret.ts'
