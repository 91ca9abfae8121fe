// SPDX-License-Identifier: Apache-2.0
export { formatBytes, formatCount, formatDuration, formatItems } from './format.ts'
export { columnCount, type Environment, type OutputStream, type ProgramStreams } from './output.ts'
export { type PrintErrorOptions, printError } from './print-error.ts'
export { type ProgressBar, type ProgressBarOptions, progressBar } from './progress.ts'
export { isColored, type StyleName, type Styles, styled } from './style.ts'
export { fields, type TableOptions, table } from './table.ts'
export { pad, printable, printableJson, visibleWidth } from './text.ts'
