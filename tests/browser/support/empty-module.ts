// SPDX-License-Identifier: Apache-2.0
// Stands for Node's crypto in a bundle for browsers.
export {}
