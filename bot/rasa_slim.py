"""Lets Rasa 3.6.21 run on Python 3.11 without TensorFlow and without the SDKs of channels we do not offer.

Rasa imports TensorFlow, Slack, Twilio, MongoDB and a dozen more at start, whether a bot uses them or not. Nothing of ours
does. Six shims, each with a test in tests/test_rasa_on_python311.py and all explained in docs/adr/0001:

1. `PlaceholderFinder`: a package named in `ABSENT` that is not installed imports as an empty placeholder.
2. `NEEDS_TENSORFLOW`: what Rasa has only for TensorFlow's models is such a placeholder, too, unless TensorFlow is installed. It would
   load scikit-learn, 60 MB, into processes that only answer.
3. `add_legacy_version`: `packaging` dropped `LegacyVersion`, Rasa only asks `isinstance(x, LegacyVersion)`.
4. `SlimComponents`: Rasa's list of default components without those that need TensorFlow, spaCy or MITIE.
5. `adapt_sanic`: Sanic 25 starts worker processes that can't find the application Rasa has made, and has no
   `response.stream` any more, which `rasa shell` listens to.
6. `quiet`: telemetry off, one thread for small matrices, and old dependencies' deprecation warnings silenced, before Rasa
   and NumPy read the environment.

`watch` is called at interpreter start by a `.pth` file so that the plain `rasa` command works too; it costs one entry in
`sys.meta_path` until somebody imports Rasa.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
import warnings
from collections.abc import Sequence
from typing import Any

ABSENT = frozenset(
    """
        aio_pika aiogram aiormq boto3 botocore cachecontrol confluent_kafka fbmessenger google jieba keras matplotlib
        mattermostwrapper mitie psycopg2 pymongo redis rocketchat_API slack_sdk spacy tensorflow tensorflow_addons
        tensorflow_hub tensorflow_text transformers twilio webexteamssdk
    """.split()
)

NEEDS_TENSORFLOW = frozenset({"rasa.utils.tensorflow.model_data"})

LIGHT_COMPONENTS = {
    "rasa.nlu.classifiers.fallback_classifier": ["FallbackClassifier"],
    "rasa.nlu.classifiers.keyword_intent_classifier": ["KeywordIntentClassifier"],
    "rasa.nlu.classifiers.logistic_regression_classifier": ["LogisticRegressionClassifier"],
    "rasa.nlu.classifiers.sklearn_intent_classifier": ["SklearnIntentClassifier"],
    "rasa.nlu.extractors.crf_entity_extractor": ["CRFEntityExtractor"],
    "rasa.nlu.extractors.duckling_entity_extractor": ["DucklingEntityExtractor"],
    "rasa.nlu.extractors.entity_synonyms": ["EntitySynonymMapper"],
    "rasa.nlu.extractors.regex_entity_extractor": ["RegexEntityExtractor"],
    "rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer": ["CountVectorsFeaturizer"],
    "rasa.nlu.featurizers.sparse_featurizer.lexical_syntactic_featurizer": ["LexicalSyntacticFeaturizer"],
    "rasa.nlu.featurizers.sparse_featurizer.regex_featurizer": ["RegexFeaturizer"],
    "rasa.nlu.tokenizers.whitespace_tokenizer": ["WhitespaceTokenizer"],
    "rasa.core.policies.rule_policy": ["RulePolicy"],
    "rasa.core.policies.memoization": ["MemoizationPolicy", "AugmentedMemoizationPolicy"],
}
DEFAULT_COMPONENTS_MODULE = "rasa.engine.recipes.default_components"


class _PlaceholderType(type):
    """Class of placeholder attributes: any attribute, subscript or union of one is possible, no instance is."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(f"{cls.__qualname__}.{name}")

    def __getitem__(cls, item: Any) -> Any:
        return cls

    def __or__(cls, other: Any) -> Any:
        return cls

    __ror__ = __or__


def _placeholder(name: str) -> Any:
    def decorate_or_refuse(cls: type, *args: Any, **kwargs: Any) -> Any:
        if cls.__dict__.get("_is_placeholder") and len(args) == 1 and callable(args[0]) and not kwargs:
            return args[0]  # used as a decorator at import
        if cls.__dict__.get("_is_placeholder"):
            raise ImportError(f"{name} is not installed: Sapa Setneg runs Rasa without it (docs/adr/0001)")
        return object.__new__(cls)

    return _PlaceholderType(name, (), {"__new__": decorate_or_refuse, "_is_placeholder": True})


class PlaceholderModule(types.ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # An exception class has to be one: `except TelegramAPIError` refuses anything else.
        value = type(name, (Exception,), {}) if name.endswith(("Error", "Exception")) else _placeholder(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


class PlaceholderFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Of the names that it is given and whatever stands under them. Last on `sys.meta_path` an installed package wins over it."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".")[0] in self._names or fullname in self._names:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return PlaceholderModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class SlimComponents(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for Rasa's list of default components, which imports every component there is."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != DEFAULT_COMPONENTS_MODULE:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        module.DEFAULT_COMPONENTS = [  # type: ignore[attr-defined]  # a module made here has no declared names
            getattr(importlib.import_module(name), component)
            for name, components in LIGHT_COMPONENTS.items()
            for component in components
        ]


def add_legacy_version() -> None:
    from packaging import version

    if not hasattr(version, "LegacyVersion"):
        version.LegacyVersion = type("LegacyVersion", (), {})  # type: ignore[attr-defined]  # gone since packaging 22


def adapt_sanic() -> None:
    from sanic import Sanic, response
    from sanic.response import ResponseStream

    if not hasattr(response, "stream"):
        response.stream = ResponseStream  # type: ignore[attr-defined]  # gone since Sanic 22
    run = Sanic.run

    def run_in_one_process(self: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("workers", 1) == 1:
            kwargs["single_process"] = True
        run(self, *args, **kwargs)

    Sanic.run = run_in_one_process  # type: ignore[method-assign]  # the shim itself


def quiet() -> None:
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads spin; a turn's products are too small to share
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    for module in ("pkg_resources", "sanic_jwt", "rasa", "jsonpickle", "colorclass"):
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=rf"{module}(\.|$)")
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    # Rasa says so to everybody whose slot has the name of an entity, whether it fills itself or not.
    warnings.filterwarnings("ignore", message="Slot auto-fill has been removed")


def activate() -> None:
    """Install all shims. Called before the first import of Rasa; a second call does nothing."""
    if any(isinstance(finder, PlaceholderFinder) for finder in sys.meta_path):
        return
    quiet()
    add_legacy_version()
    adapt_sanic()
    sys.meta_path.insert(0, SlimComponents())
    if importlib.util.find_spec("tensorflow") is None:
        sys.meta_path.insert(0, PlaceholderFinder(NEEDS_TENSORFLOW))
    sys.meta_path.append(PlaceholderFinder(ABSENT))


class _RasaWatcher(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == "rasa":
            sys.meta_path.remove(self)
            activate()
        return None


def watch() -> None:
    """Activate the shims when Rasa is imported for the first time in this interpreter."""
    sys.meta_path.insert(0, _RasaWatcher())
