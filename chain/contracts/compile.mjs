// Compiles each source of the table into a JSON file beside it, offline. Needed only after one of them was changed:
//     npm install --ignore-scripts --no-save solc@0.8.30 && node compile.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));
const table = [
  // source without its ending, the contract in it, the optimizer's runs
  ["BatchPayer", "BatchPayer", 10_000],
  ["../devnet/tokens/USDT", "TestUSDT", 200],
  ["../devnet/tokens/Token", "TestToken", 200],
];

for (const [file, name, runs] of table) {
  const settings = {
    evmVersion: "paris", // without PUSH0, which neither every chain nor every anvil hardfork nor the TRON schedule knows
    optimizer: { enabled: true, runs },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
  };
  const source = `${file.split("/").at(-1)}.sol`;
  const sources = { [source]: { content: readFileSync(join(here, `${file}.sol`), "utf8") } };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
  for (const problem of output.errors ?? []) console.error(problem.formattedMessage);

  const contract = output.contracts[source][name];
  const artifact = {
    contract: name,
    compiler: solc.version(),
    settings: { evmVersion: settings.evmVersion, optimizer: settings.optimizer },
    abi: contract.abi,
    bytecode: contract.evm.bytecode.object,
    runtime: contract.evm.deployedBytecode.object,
  };
  writeFileSync(join(here, `${file}.json`), `${JSON.stringify(artifact, null, 1)}\n`);
}
