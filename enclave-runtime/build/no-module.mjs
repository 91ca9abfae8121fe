// SPDX-License-Identifier: Apache-2.0
// Stands in for a module of Node that a library would use only where the web's own interface is missing.
export default {}
