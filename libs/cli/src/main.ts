#!/usr/bin/env node
import { run } from './run.js';
import { terminalOf } from './output/terminal.js';

const terminal = terminalOf(process);
process.exitCode = await run(process.argv.slice(2), terminal);
