"""hub.load: from a handle to a model that computes."""

import tarfile

import numpy as np
import pytest

from modtf import core as tf
from modtf import hub


class Affine(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable([[1.0], [2.0]], name="weight")
        self.variables_of_interest = [self.weight]

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def __call__(self, x):
        return x @ self.weight


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "model"
    tf.saved_model.save(Affine(), str(path))
    return path


@pytest.fixture
def archive(folder, tmp_path):
    path = tmp_path / "served" / "model.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return path


def check(model):
    np.testing.assert_array_equal(model(tf.constant([[3.0, 4.0]])), [[11.0]])
    np.testing.assert_array_equal(
        model.signatures["serving_default"](x=tf.constant([[3.0, 4.0]]))["output_0"], [[11.0]]
    )


def test_a_folder(folder):
    check(hub.load(str(folder)))


def test_an_archive(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    check(hub.load(str(archive)))


def test_a_url_is_fetched_once(archive, tmp_path, monkeypatch):
    import functools
    import http.server
    import threading

    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            super().do_GET()

        def log_message(self, *arguments):
            pass

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    handler = functools.partial(Handler, directory=str(archive.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}/model.tar.gz"
            check(hub.load(url))
            check(hub.load(url))
        finally:
            server.shutdown()
            thread.join()
    assert len(requests) == 1


def test_a_damaged_model_is_refused(folder):
    data = folder / "variables" / "variables.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[0] ^= 1
    data.write_bytes(content)
    with pytest.raises(tf.saved_model.SavedModelError, match=r"variables\.data"):
        hub.load(str(folder))(tf.constant([[1.0, 1.0]]))


def test_a_handle_is_text():
    with pytest.raises(ValueError, match="Expected a string"):
        hub.load(3)
