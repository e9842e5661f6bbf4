/** Replaced by the build (`scripts/build.mjs`) with the version of package.json. */
// oxlint-disable-next-line no-underscore-dangle -- the name that the build defines
declare const __EVERYCORE_VERSION__: string | undefined

/** The version of this package; `0.0.0-dev` when it runs from its sources. */
export const VERSION: string = typeof __EVERYCORE_VERSION__ === 'string' ? __EVERYCORE_VERSION__ : '0.0.0-dev'
