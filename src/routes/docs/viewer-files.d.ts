declare module 'swagger-ui-dist/swagger-ui-bundle.js' {
  const path: string
  export = path
}

declare module 'swagger-ui-dist/swagger-ui.css' {
  const path: string
  export = path
}

declare module '*/page.css' {
  const path: string
  export = path
}

declare module '*.md' {
  const text: string
  export = text
}
