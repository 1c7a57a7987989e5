"""The id of a prefix: a server with the wrong database deletes nothing, and a lost bucket is noticed."""

import pytest

from facecli.blobs.s3.identity import ID, BucketProbe, bucket_id, check_bucket, name_bucket
from facecli.core.errors import InvalidInput, PolicyRefused, StorageFailed
from tests.support.blobs.s3_servers import S3Server


def test_a_new_prefix_gets_an_id_that_the_database_knows(rclone: S3Server) -> None:
    bucket, known = rclone.bucket(), set[str]()
    with pytest.raises(InvalidInput, match="start facecli serve on it first"):
        check_bucket(bucket, known=known.__contains__)
    name_bucket(bucket, known=known.__contains__, remember=known.add)
    name_bucket(bucket, known=known.__contains__, remember=known.add)
    check_bucket(bucket, known=known.__contains__)
    assert known == {bucket_id(bucket)}


def test_the_files_of_another_database_are_refused(rclone: S3Server) -> None:
    bucket, known = rclone.bucket(), set[str]()
    name_bucket(bucket, known=lambda found: True, remember=lambda new: None)
    with pytest.raises(PolicyRefused, match=f"does not know {bucket.location} and its files"):
        name_bucket(bucket, known=known.__contains__, remember=known.add)
    bucket.delete(ID)
    bucket.put("uploads/u1", b"x")
    with pytest.raises(PolicyRefused, match=r"holds files, but no facecli\.id"):
        name_bucket(bucket, known=known.__contains__, remember=known.add)
    assert known == set()


def test_a_bucket_that_lost_its_id_is_unhealthy(rclone: S3Server) -> None:
    bucket = rclone.bucket()
    name_bucket(bucket, known=lambda found: True, remember=lambda new: None)
    probe = BucketProbe(bucket)
    probe.check()
    bucket.delete(ID)
    with pytest.raises(StorageFailed, match=r"facecli\.id is gone"):
        probe.check()
