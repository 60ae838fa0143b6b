/** Files that are imported as text. */
declare module '*.conf' {
  const text: string
  export = text
}

declare module '*.service' {
  const text: string
  export = text
}
