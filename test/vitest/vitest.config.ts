import { defineConfig } from 'vitest/config';

/** Nothing is set for decorators: Vite's compiler reads what it needs of them in tsconfig.json, metadata for Nest included. */
export default defineConfig({ test: { include: ['*.test.ts'] } });
