// Compiles <Name>.sol beside this file into <Name>.json, offline. Needed only after the source was changed:
//     npm install --ignore-scripts --no-save solc@0.8.30 && node compile.mjs BatchPayer
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const solc = createRequire(`${process.cwd()}/`)("solc");
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const [name] = process.argv.slice(2);

const settings = {
  evmVersion: "paris", // without PUSH0, which not every chain knows
  optimizer: { enabled: true, runs: 10_000 },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};
const sources = { [`${name}.sol`]: { content: readFileSync(here(`${name}.sol`), "utf8") } };
const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);

const contract = output.contracts[`${name}.sol`][name];
const artifact = {
  contract: name,
  compiler: solc.version(),
  settings: { evmVersion: settings.evmVersion, optimizer: settings.optimizer },
  abi: contract.abi,
  bytecode: contract.evm.bytecode.object,
  runtime: contract.evm.deployedBytecode.object,
};
writeFileSync(here(`${name}.json`), `${JSON.stringify(artifact, null, 1)}\n`);
