"""A package that Pygen generates from a data model, once and without a network."""

from __future__ import annotations

import atexit
import functools
import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from compat.cognite_sdk.data_fusion import MODEL


def generate(model: Any, name: str, **keywords: Any) -> Any:
    """Generate a package of this name and import it."""
    pygen = importlib.import_module("cognite.pygen")
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pygen.generate_sdk(
        model,
        top_level_package=name,
        client_name="WindFarmClient",
        default_instance_space="wind",
        output_dir=Path(folder) / name,
        logger=lambda _: None,
        **keywords,
    )
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)


@functools.cache
def generated_package() -> Any:
    """The package generated from `MODEL`."""
    models = importlib.import_module("cognite.client.data_classes.data_modeling")
    return generate(models.DataModel.load(MODEL), "pygen_auth_wind_farm")
