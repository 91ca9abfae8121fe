// SPDX-License-Identifier: Apache-2.0

const byteUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Three significant digits: 1.23, 12.3, 123, 1023. */
function threeDigits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

/** A size in bytes for people: `512 B`, `1.00 KiB`, `12.3 MiB`. */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} B`
  let value = sizeBytes / 1024
  let unit = 0
  while (value >= 1023.5 && unit < byteUnits.length - 1) {
    value /= 1024
    unit++
  }
  return `${threeDigits(value)} ${byteUnits[unit]}`
}

/** A whole number with its thousands apart: `1,235,496`. */
export function formatCount(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** A duration for people: `850 µs`, `12.3 ms`, `4.20 s`, `2 min 05 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0.9995) return `${Math.round(durationMs * 1000)} µs`
  if (durationMs < 999.5) return `${threeDigits(durationMs)} ms`
  if (durationMs < 59_995) return `${threeDigits(durationMs / 1000)} s`
  const seconds = Math.round(durationMs / 1000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** A count with its noun: `1 query`, `20 queries`. */
export function formatItems(count: number, one: string, many: string = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
