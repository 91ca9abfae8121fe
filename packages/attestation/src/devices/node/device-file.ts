// SPDX-License-Identifier: Apache-2.0
import { constants, open } from 'node:fs/promises'
import { systemCode } from '@mlcapsule/contracts/node'
import { AttestationError } from '../../errors.ts'

/** @throws AttestationError `ATTESTATION_DEVICE_FAILED`, always */
export function deviceFailed(detail: string, cause?: unknown): never {
  throw new AttestationError('ATTESTATION_DEVICE_FAILED', detail, { field: 'device', cause })
}

/** @throws AttestationError `ATTESTATION_DEVICE_UNAVAILABLE`, always */
export function deviceUnavailable(detail: string, cause?: unknown): never {
  throw new AttestationError('ATTESTATION_DEVICE_UNAVAILABLE', detail, { field: 'device', cause })
}

/** The device keeps changing hands. */
export function deviceContended(device: string, attemptCount: number): AttestationError {
  const detail = `${device}: others came between at each of ${attemptCount} attempts`
  return new AttestationError('ATTESTATION_DEVICE_CONTENDED', detail, { field: 'device' })
}

/**
 * Reads to the end whatever the file says of its size: files of devices say 0, or a page.
 * @throws AttestationError `ATTESTATION_DEVICE_FAILED`, also beyond the limit
 */
export async function readDeviceFile(path: string, maxSizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(maxSizeBytes + 1)
  let sizeBytes = 0
  try {
    const file = await open(path, constants.O_RDONLY)
    try {
      while (sizeBytes < bytes.length) {
        const { bytesRead } = await file.read(bytes, sizeBytes, bytes.length - sizeBytes)
        if (bytesRead === 0) break
        sizeBytes += bytesRead
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    deviceFailed(`${path} cannot be read: ${systemCode(cause)}`, cause)
  }
  if (sizeBytes > maxSizeBytes) deviceFailed(`${path} gives more than ${maxSizeBytes} bytes`)
  return bytes.slice(0, sizeBytes)
}

/** What the file holds, without white space around it. @throws AttestationError `ATTESTATION_DEVICE_FAILED` */
export async function readDeviceWord(path: string): Promise<string> {
  return new TextDecoder().decode(await readDeviceFile(path, 64)).trim()
}

/**
 * Writes in one piece and closes, which is when devices take it. Never makes a file.
 * @throws AttestationError `ATTESTATION_DEVICE_FAILED`
 */
export async function writeDeviceFile(path: string, bytes: Uint8Array): Promise<void> {
  let writtenSizeBytes = 0
  try {
    const file = await open(path, constants.O_WRONLY)
    try {
      writtenSizeBytes = (await file.write(bytes)).bytesWritten
    } finally {
      await file.close()
    }
  } catch (cause) {
    deviceFailed(`${path} cannot be written: ${systemCode(cause)}`, cause)
  }
  if (writtenSizeBytes !== bytes.length)
    deviceFailed(`${path} took ${writtenSizeBytes} of ${bytes.length} bytes`)
}
