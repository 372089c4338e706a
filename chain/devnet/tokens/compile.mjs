// Compiles USDT.sol and Token.sol into USDT.json and Token.json, offline. Needed only after one of them was changed:
//     npm install --ignore-scripts --no-save solc@0.8.30 && node compile.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const solc = createRequire(`${process.cwd()}/`)("solc");
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const settings = {
  evmVersion: "paris", // without PUSH0, which neither every anvil hardfork nor the TRON schedule knows
  optimizer: { enabled: true, runs: 200 },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};

for (const [file, name] of [["USDT", "TestUSDT"], ["Token", "TestToken"]]) {
  const sources = { [`${file}.sol`]: { content: readFileSync(here(`${file}.sol`), "utf8") } };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
  for (const problem of output.errors ?? []) console.error(problem.formattedMessage);

  const contract = output.contracts[`${file}.sol`][name];
  const artifact = {
    contract: name,
    compiler: solc.version(),
    settings: { evmVersion: settings.evmVersion, optimizer: settings.optimizer },
    abi: contract.abi,
    bytecode: contract.evm.bytecode.object,
    runtime: contract.evm.deployedBytecode.object,
  };
  writeFileSync(here(`${file}.json`), `${JSON.stringify(artifact, null, 1)}\n`);
}
