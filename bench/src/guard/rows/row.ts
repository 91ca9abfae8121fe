// SPDX-License-Identifier: Apache-2.0

export interface RowResult {
  /** What goes into bench/README.md. */
  readonly markdown: string
  /** All figures. */
  readonly data: unknown
}

/** A part of `npm run bench:guard`, by the name that `--only` takes. */
export interface Row {
  readonly name: string
  readonly title: string
  /** @param isQuick few repetitions, and small models alone */
  run(isQuick: boolean): Promise<RowResult>
}

/** A target is met when the interval's lower end is. */
export const verdictOf = (low: number, target: number): string => (low <= target ? 'met' : 'missed')

export const showMib = (sizeBytes: number | null): string =>
  sizeBytes === null ? '–' : (sizeBytes / 1_048_576).toFixed(0)
