from dataclasses import replace

import pytest

from relicheck.checkpoints.errors import UnknownName, UsageError
from relicheck.pretrain import methods, recipes
from relicheck.pretrain.override import override


def test_assignments_reach_into_parts_and_tuples(tiny_config):
    changed = override(
        tiny_config,
        ["epochs=5", "spec.width_multiplier=0.5", "views.1.area=[0.2, 0.4]", "optimizer=sgd"],
    )

    assert (changed.epochs, changed.spec.width_multiplier) == (5, 0.5)
    assert (changed.views[0].area, changed.views[1].area) == ((0.5, 1.0), (0.2, 0.4))
    assert changed.optimizer == "sgd"
    assert tiny_config.epochs == 2


@pytest.mark.parametrize(
    ("assignment", "error", "message"),
    [
        ("epoch=5", UnknownName, "Did you mean 'epochs'"),
        ("spec.dept=34", UnknownName, r"Did you mean 'spec\.depth'"),
        ("epochs", UsageError, "key=value"),
        ("batch_size=many", UsageError, "'many'.*a int such as 4"),
        ("include_self_pairs=1", UsageError, "a bool such as True"),
        ("views.9.side=8", UsageError, "'9' does not name a part"),
        ("optimizer=adam", UsageError, "lars, sgd or adamw"),
        ("epochs=0", UsageError, "above 0"),
        ("temperature=-1", UsageError, "above 0"),
        ("batch_size=1", UsageError, "at least 2"),
    ],
)
def test_an_assignment_that_cannot_be_meant_is_explained(tiny_config, assignment, error, message):
    with pytest.raises(error, match=message):
        override(tiny_config, [assignment])


def test_five_and_five_point_zero_epochs_are_the_same_run(tiny_config):
    assert replace(tiny_config, epochs=5).digest == replace(tiny_config, epochs=5.0).digest


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_all_methods_with_the_views_they_want(name):
    recipe = recipes.load(name)

    assert set(recipe.configs) == set(methods.names())
    for method, config in recipe.configs.items():
        assert config.method == method
        wanted = methods.load(method).views
        assert wanted in (None, len(config.views))
        assert wanted is None or not config.small_views


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_compares_methods_on_one_network(name):
    assert len({config.spec for config in recipes.load(name).configs.values()}) == 1


def test_a_method_that_a_recipe_lacks_gets_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'relicv2'"):
        recipes.load("digits").config("relicv3")
    with pytest.raises(UsageError, match="no method was named"):
        recipes.load("digits").config()


def test_an_unknown_recipe_or_method_gets_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'digits'"):
        recipes.load("digit")
    with pytest.raises(UnknownName, match="Did you mean 'simclr'"):
        methods.load("simcrl")
