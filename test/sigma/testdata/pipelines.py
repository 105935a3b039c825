"""Writes the processing pipelines that pySigma's plugins carry as Python, as YAML files in the folder argv[1], and what they make of
every argv[2]th rule in the folders behind that: a line of JSON for each with its id, the pipeline, and the names of its fields or the error."""
import dataclasses
import importlib
import json
import os
import pkgutil
import re
import sys

import yaml
import sigma.pipelines
from sigma.processing import conditions as conds
from sigma.processing import transformations as trans
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaDetection, SigmaRule

KINDS = {c: n for n, c in trans.transformations.items()}
RULE = {c: n for n, c in conds.rule_conditions.items()}
ITEM = {c: n for n, c in conds.detection_item_conditions.items()}
FIELD = {c: n for n, c in conds.field_name_conditions.items()}


def plain(v):
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple, set, type({}.keys()), type({}.values()))):
        return [plain(x) for x in v]
    return v if v is None or isinstance(v, (str, int, float, bool)) else str(v)


def params(o, skip=()):
    out = {}
    for f in dataclasses.fields(o):
        if not f.init or f.name.startswith("_") or f.name in skip:
            continue
        v = getattr(o, f.name)
        if v is None and f.default is None or v == [] or v == {} or v is False and f.default is False:
            continue
        out[f.name] = plain(v)
    return out


def conditions(out, prefix, item, stem, kinds):
    held = getattr(item, stem + "_conditions")
    if not held:
        return
    one = lambda c: {"type": kinds[type(c)], **params(c)}
    out[prefix + "_conditions"] = {k: one(c) for k, c in held.items()} if isinstance(held, dict) else [one(c) for c in held]
    if getattr(item, stem + "_condition_linking") is any:
        out[prefix + "_cond_op"] = "or"
    if getattr(item, stem + "_condition_negation"):
        out[prefix + "_cond_not"] = True
    if getattr(item, stem + "_condition_expression") is not None:
        raise ValueError("an expression")


def step(item):
    t = item.transformation
    out = {"type": KINDS[type(t)]}
    if item.identifier:
        out["id"] = item.identifier
    if hasattr(t, "items") and out["type"] == "nest":
        out["items"] = [step(i) for i in t.items]
    else:
        out.update(params(t))
    if hasattr(t, "sigma_value"):
        v = t.sigma_value
        out["value"] = getattr(v, "boolean", getattr(v, "number", None if type(v).__name__ == "SigmaNull" else str(v)))
    conditions(out, "rule", item, "rule", RULE)
    conditions(out, "detection_item", item, "detection_item", ITEM)
    conditions(out, "field_name", item, "field_name", FIELD)
    return out


def pipelines():
    for mod in pkgutil.walk_packages(sigma.pipelines.__path__, "sigma.pipelines."):
        if ".test" in mod.name or mod.name.endswith(".base"):
            continue
        try:
            m = importlib.import_module(mod.name)
        except Exception:
            continue
        for name, f in vars(m).items():
            if name.startswith("_") or not callable(f) or getattr(f, "__module__", "") == "typing":
                continue
            inner = getattr(f, "func", None) or f
            if getattr(inner, "__module__", None) != mod.name or isinstance(inner, type):
                continue
            try:
                p = f()
            except TypeError:
                continue
            if isinstance(p, ProcessingPipeline):
                yield name, p, f


def fields(d, out):
    for i in d.detection_items:
        if isinstance(i, SigmaDetection):
            fields(i, out)
        elif i.field is not None:
            out.add(i.field)


def main():
    folder, stride, roots = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    texts = []
    for root in roots:
        for dirpath, _, names in os.walk(root):
            for n in sorted(names):
                if n.endswith(".yml"):
                    texts.append(open(os.path.join(dirpath, n), encoding="utf-8").read())
    texts = texts[::stride]
    for name, p, make in pipelines():
        try:
            doc = {"name": name, "priority": p.priority, "transformations": [step(i) for i in p.items]}
            if p.vars:
                doc["vars"] = plain(p.vars)
        except Exception as e:
            print(json.dumps({"pipeline": name, "left_out": str(e)}))
            continue
        with open(os.path.join(folder, name + ".yml"), "w", encoding="utf-8") as f:
            yaml.safe_dump(doc, f, allow_unicode=True, sort_keys=False)
        for text in texts:
            try:
                rule = SigmaRule.from_yaml(text)
            except Exception:
                continue
            line = {"pipeline": name, "rule": str(rule.id)}
            try:
                make().apply(rule)
                out = set()
                for d in rule.detection.detections.values():
                    fields(d, out)
                line["fields"] = sorted(out)
                line["source"] = [rule.logsource.product or "", rule.logsource.category or "", rule.logsource.service or ""]
            except Exception as e:
                line["error"] = re.sub(r"\s+", " ", str(e))[:200]
            print(json.dumps(line))


main()
