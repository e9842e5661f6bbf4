/** @type {import('next').NextConfig} */
export default {
  output: 'standalone',
  // This folder is the project, whatever lock files lie above it.
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
}
