import { defineConfig } from 'vite';

/** The page, whole and self-contained, into the package: three files of fixed names, nothing inline, nothing from elsewhere. */
export default defineConfig({
  root: new URL('client', import.meta.url).pathname,
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    // Of what is built in: their licences ask to come along.
    license: { fileName: 'LICENSES.md' },
    rollupOptions: {
      output: { entryFileNames: 'app.js', assetFileNames: 'app[extname]', codeSplitting: false },
    },
  },
});
