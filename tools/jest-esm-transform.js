// Most of Nest 12 is ESM only, which Jest's CommonJS runtime cannot load: convert those files, and only those.
const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { transformSync } = require('@swc/core');

const isModuleByFolder = new Map();

function isModule(folder) {
  if (!isModuleByFolder.has(folder)) {
    const manifest = join(folder, 'package.json');
    const parent = dirname(folder);
    isModuleByFolder.set(
      folder,
      existsSync(manifest)
        ? JSON.parse(readFileSync(manifest, 'utf8')).type === 'module'
        : parent !== folder && isModule(parent),
    );
  }
  return isModuleByFolder.get(folder);
}

module.exports = {
  getCacheKey: (source, path) =>
    createHash('sha1').update(source).update(path).update(process.version).update('1').digest('hex'),
  process(source, path) {
    if (!path.endsWith('.mjs') && !isModule(dirname(path))) return { code: source };
    return transformSync(source, {
      filename: path,
      swcrc: false,
      jsc: { target: 'es2023', parser: { syntax: 'ecmascript' } },
      module: { type: 'commonjs' },
      sourceMaps: false,
    });
  },
};
