// SPDX-License-Identifier: Apache-2.0
export { describeIssue } from './describe-issue.ts'
export {
  base64UrlOf,
  base64UrlUpTo,
  confirmation,
  hexOf,
  identifier,
  numericDate,
  pluginName,
} from './fields.ts'
