"""The schema describes every setting, and its defaults are those of config.yaml."""

import pytest
import yaml

from helpers.workflow import ROOT

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
FIRST_LINE = "# yaml-language-server: $schema="


def settings(schema, values, path=""):
    """Yield the path, the schema and the value of every setting and section."""
    for name, value in values.items():
        part = schema["properties"][name]
        yield f"{path}{name}", part, value
        if "properties" in part:
            yield from settings(part, value, f"{path}{name}/")


ALL = list(settings(SCHEMA, CONFIG))


@pytest.mark.parametrize(("path", "schema", "value"), ALL, ids=[path for path, *_ in ALL])
def test_a_setting_has_type_meaning_and_the_default_of_config_yaml(path, schema, value):
    assert schema["description"]
    assert {"type", "enum", "$ref", "oneOf"} & set(schema)
    if "properties" not in schema:
        assert schema["default"] == value


def test_the_schema_has_the_settings_of_config_yaml_and_no_others():
    def names(schema):
        for name, part in schema["properties"].items():
            yield name
            if "properties" in part:
                yield from names(part)

    assert sorted(names(SCHEMA)) == sorted(path.rpartition("/")[2] for path, *_ in ALL)


@pytest.mark.parametrize("path", ["config.yaml", *sorted(ROOT.glob("config/*.yaml"))])
def test_config_files_name_their_schema_in_the_first_line(path):
    file = ROOT / path
    first, _ = file.read_text().split("\n", 1)
    assert first.startswith(FIRST_LINE)
    named = file.parent / first.removeprefix(FIRST_LINE)
    assert named.resolve() == (ROOT / "workflow/schemas/config.schema.yaml").resolve()


@pytest.mark.parametrize("section", ["custom", "models"])
def test_every_key_of_an_entry_has_type_and_meaning(section):
    keys = SCHEMA["properties"][section]["additionalProperties"]["properties"]
    assert len(keys) > 15
    for name, schema in keys.items():
        assert schema["description"], name
        assert {"type", "enum", "$ref", "oneOf"} & set(schema), name
